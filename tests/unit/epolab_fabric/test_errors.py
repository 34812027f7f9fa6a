import inspect

from epolab_fabric import errors


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    classes = [it for _, it in inspect.getmembers(errors, inspect.isclass) if it.__module__ == errors.__name__]
    assert all(issubclass(it, errors.FabricFault) for it in classes)
    assert [it.__name__ for it in classes if f"── {it.__name__} " not in (errors.__doc__ or "")] == ["FabricFault"]
