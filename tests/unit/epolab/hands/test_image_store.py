"""What an image says about its containers, in the words of the engine."""

from epolab.hands.image_store import ImageSettings


def test_settings_become_lines_of_the_engine() -> None:
    settings = ImageSettings(("/init", "-x"), {"PATH": "/bin"}, {"epolab.image": "node"})
    assert settings.changes() == ['CMD ["/init", "-x"]', 'ENV PATH="/bin"', 'LABEL epolab.image="node"']
