import copy
import inspect
import pickle
from collections.abc import Iterable

import pytest

from offlineseed import errors
from offlineseed.findings import Finding

FINDINGS = (
    Finding(code="drive-too-small", subject="WD-1", message="the drive is too small"),
    Finding(code="drive-type-refused", subject="WD-1", message="the drive is no SATA drive"),
)
SAMPLES: dict[str, object] = {"findings": FINDINGS, "missing": ("cryptsetup",)}
CLASSES = [getattr(errors, name) for name in errors.__all__]


def data_of(error_class):
    parameters = inspect.signature(error_class.__init__).parameters.values()
    keywords = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    data = {}
    for parameter in keywords:
        default = parameter.default
        if parameter.name in SAMPLES:
            data[parameter.name] = SAMPLES[parameter.name]
        elif isinstance(default, int):
            data[parameter.name] = type(default)(7)
        elif isinstance(default, str):
            data[parameter.name] = f"a {parameter.name}"
        else:
            data[parameter.name] = ("anything", 1)
    return data


@pytest.mark.parametrize("error_class", CLASSES, ids=errors.__all__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_error_pickled_keeps_type_message_and_data(error_class, protocol):
    data = data_of(error_class)
    error = error_class("the fact; what to do", **data)

    again = pickle.loads(pickle.dumps(error, protocol))

    assert type(again) is error_class
    assert str(again) == "the fact; what to do"
    assert again.args == error.args
    assert {name: getattr(again, name) for name in data} == data


@pytest.mark.parametrize("error_class", CLASSES, ids=errors.__all__)
def test_error_copied_keeps_message_and_data(error_class):
    data = data_of(error_class)

    again = copy.copy(error_class("a fact", **data))

    assert str(again) == "a fact"
    assert {name: getattr(again, name) for name in data} == data


@pytest.mark.parametrize("error_class", CLASSES, ids=errors.__all__)
def test_error_constructed_takes_a_message_and_keywords_with_defaults(error_class):
    error = error_class("a fact")

    assert str(error) == "a fact"
    for name in data_of(error_class):
        default = inspect.signature(error_class.__init__).parameters[name].default
        assert default is not inspect.Parameter.empty
        assert getattr(error, name) == default


@pytest.mark.parametrize("error_class", CLASSES, ids=errors.__all__)
def test_error_class_is_an_offline_seed_error_and_says_what_happened(error_class):
    assert issubclass(error_class, errors.OfflineSeedError)
    assert inspect.getdoc(error_class)
    assert error_class.__name__.endswith("Error")


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (errors.FormatError, ValueError),
        (errors.ManifestError, errors.FormatError),
        (errors.BitLockerFormatError, errors.FormatError),
        (errors.NtfsError, errors.FormatError),
        (errors.PartitionTableError, errors.FormatError),
        (errors.RecoveryPasswordError, errors.FormatError),
        (errors.PublishSettingsError, errors.FormatError),
        (errors.CatalogError, errors.FormatError),
        (errors.SegmentError, errors.FormatError),
        (errors.JournalError, errors.FormatError),
        (errors.CopyLogError, errors.FormatError),
        (errors.ServiceFormatError, errors.FormatError),
        (errors.UnsafeNameError, errors.SeedError),
        (errors.ItemNotFoundError, errors.SeedError),
        (errors.ItemNotFoundError, LookupError),
        (errors.GenerationSealedError, errors.SeedError),
        (errors.SegmentMissingError, errors.SeedError),
        (errors.SegmentMissingError, LookupError),
        (errors.ChunkDamagedError, errors.SeedError),
        (errors.StagingFullError, errors.StagingError),
        (errors.StagingLockedError, errors.StagingError),
        (errors.StagedJobExistsError, errors.StagingError),
        (errors.StagedJobNotFoundError, errors.StagingError),
        (errors.StagedJobNotFoundError, LookupError),
        (errors.AdapterUnavailableError, errors.VolumeError),
        (errors.DriveNotEligibleError, errors.VolumeError),
        (errors.ConsentError, errors.VolumeError),
        (errors.UnlockRefusedError, errors.VolumeError),
        (errors.VolumeFullError, errors.VolumeError),
        (errors.NotEnoughDrivesError, errors.DriveError),
        (errors.DriveChangedError, errors.DriveError),
        (errors.SourceChangedError, errors.DriveError),
        (errors.JobNotFoundError, errors.JobError),
        (errors.JobNotFoundError, LookupError),
        (errors.JobStateError, errors.JobError),
        (errors.TrackingNumberInUseError, errors.JobError),
        (errors.ShippingError, errors.JobError),
    ],
    ids=lambda value: value.__name__,
)
def test_error_tree_has_the_documented_shape(child, parent):
    assert issubclass(child, parent)


def test_errors_module_exports_every_public_class_that_it_defines():
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value)
        and value.__module__ == errors.__name__
        and not name.startswith("_")
    }

    assert defined == set(errors.__all__)


@pytest.mark.parametrize(
    "error_class",
    [errors.SettingsError, errors.DriveNotEligibleError, errors.ShippingError],
)
def test_findings_error_given_an_iterator_keeps_a_tuple(error_class):
    findings: Iterable[Finding] = iter(FINDINGS)

    assert error_class("two things", findings=findings).findings == FINDINGS


def test_verification_error_pickled_keeps_its_report():
    report = {"checked": 3, "failures": FINDINGS}

    again = pickle.loads(pickle.dumps(errors.VerificationError("2 failures", report=report)))

    assert again.report == report
