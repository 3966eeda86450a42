"""
The public API: what each `__all__` holds, and that it can be used as it is.
"""

import importlib
import inspect
import pkgutil
import types
import typing

import attrs
import pytest

import offlineseed


def public_modules():
    names = [offlineseed.__name__]
    for module in pkgutil.walk_packages(offlineseed.__path__, f"{offlineseed.__name__}."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            names.append(module.name)
    return sorted(names)


def is_class(value):
    # Python 3.10 takes an alias such as Callable[[int], str] for a class.
    return inspect.isclass(value) and typing.get_origin(value) is None


def is_value_class(value):
    return is_class(value) and attrs.has(value) and "frozen" in value.__setattr__.__name__


def exports(accept=lambda value: True):
    return [
        pytest.param(module_name, name, id=f"{module_name}.{name}")
        for module_name in public_modules()
        for name in getattr(importlib.import_module(module_name), "__all__", ())
        if accept(getattr(importlib.import_module(module_name), name, None))
    ]


def isort_order(name):
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1 if name[0].isupper() else 2), name


@pytest.fixture(params=public_modules())
def module(request):
    return importlib.import_module(request.param)


def test_public_module_lists_its_names_in_order_and_once(module):
    names = list(module.__all__)

    assert names == sorted(names, key=isort_order)
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("_") and name != "__version__"]


def test_public_module_says_what_it_is_for(module):
    assert module.__doc__
    assert module.__doc__.strip()


def test_public_module_leaks_no_name_that_it_does_not_list(module):
    # The facade works for what it gives: it loads names when they are first used.
    is_package = hasattr(module, "__path__") and module is not offlineseed
    visible = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and not (name == "annotations" and value.__class__.__module__ == "__future__")
    }
    if not is_package:
        # A module may import what it works with; a package's `__init__` is imports and `__all__`.
        visible = {
            name
            for name in visible
            if getattr(vars(module)[name], "__module__", None) == module.__name__
        }

    assert visible <= set(module.__all__)


@pytest.mark.parametrize(("module_name", "name"), exports())
def test_public_name_is_there(module_name, name):
    assert hasattr(importlib.import_module(module_name), name)


@pytest.mark.parametrize(
    ("module_name", "name"), exports(lambda value: is_class(value) or inspect.isroutine(value))
)
def test_public_class_or_function_is_documented(module_name, name):
    value = getattr(importlib.import_module(module_name), name)

    # A class would show its base's documentation, so its own is asked for.
    documentation = vars(value).get("__doc__") if is_class(value) else value.__doc__

    assert documentation
    assert documentation.strip()


@pytest.mark.parametrize(("module_name", "name"), exports(is_value_class))
def test_public_value_class_is_no_subclass_of_another_value(module_name, name):
    value = getattr(importlib.import_module(module_name), name)

    assert [base for base in value.__mro__[1:] if attrs.has(base)] == []


def test_facade_knows_its_version_and_stays_small():
    assert offlineseed.__version__.count(".") >= 2
    assert len(offlineseed.__all__) <= 30
