"""Which promises an expression names."""

import pytest

from epolab.verify.promises import NAMES, PROMISES, choose


@pytest.mark.parametrize(
    ("expression", "names", "rest"),
    [
        (None, NAMES, None),
        ("relay", ("relay",), None),
        ("wan or relay", ("relay", "wan"), None),
        ("wan, port-8081", ("port-8081", "wan"), None),
        ("tokyo", NAMES, "tokyo"),
        ("relay and india", NAMES, "relay and india"),
    ],
)
def test_promises_are_chosen_by_name_and_anything_else_is_left_to_pytest(
    expression: str | None, names: tuple[str, ...], rest: str | None
) -> None:
    assert choose(expression) == (names, rest)


def test_each_promise_has_its_acceptance_file() -> None:
    from epolab.verify.run import ACCEPTANCE

    assert [p.module for p in PROMISES if not (ACCEPTANCE / p.module).exists()] == []
