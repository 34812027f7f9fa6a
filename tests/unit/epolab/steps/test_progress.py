"""A progress that nobody hears."""

from epolab.steps.progress import Progress, Silent


def test_silence_is_a_progress(capsys):
    progress: Progress = Silent()
    progress.begin("step")
    progress.note("text")
    progress.end("step", 1.0, skipped=False)
    assert capsys.readouterr() == ("", "")
