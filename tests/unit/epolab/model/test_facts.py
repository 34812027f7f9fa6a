from epolab.model import facts


def test_every_question_can_be_asked_here() -> None:
    missing = [name for name in facts.__all__ if not hasattr(facts, name)]
    assert missing == []


def test_the_promised_questions_are_there() -> None:
    promised = {"server", "sql", "handlers", "updates", "agents", "relays", "superagents", "routers", "router"}
    promised |= {"resolver", "hosts", "exceptions", "reachable", "site_list", "handler_order", "repository_of"}
    assert promised <= set(facts.__all__)
