from epolab.model.problem import MAX_MESSAGE, Problem, one_line


def test_a_problem_is_one_line_and_its_hint_below() -> None:
    problem = Problem("a.yaml", 3, 5, "no-sql", "error", "no node carries the database", "give one")
    assert problem.render() == "a.yaml:3:5: error: no node carries the database [no-sql]\n    give one"


def test_a_problem_without_hint_is_one_line() -> None:
    assert "\n" not in Problem("a.yaml", 1, 1, "x", "warning", "y", "").render()


def test_the_document_has_the_keys_of_the_contract() -> None:
    document = Problem("a.yaml", 3, 5, "c", "error", "m", "h").to_document()
    assert document == {
        "file": "a.yaml",
        "line": 3,
        "column": 5,
        "code": "c",
        "severity": "error",
        "message": "m",
        "hint": "h",
    }


def test_a_message_is_one_line_of_a_bearable_length() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert len(one_line("x" * 5000)) == MAX_MESSAGE
