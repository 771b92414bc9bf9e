"""pyproject.toml, requirements.lock, environment.yml and the launcher must say the same."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import course

ROOT = Path(course.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = [path for path in (course.LOCK, course.BENCHMARK_LOCK) if path.exists()]
PLATFORMS = {
    "linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "linux on ARM": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "darwin": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "win32": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}


def lines(lock):
    text = lock.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(lock):
    return [Requirement(line) for line in lines(lock)]


def wanted():
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(text) for text in sum(extras, PROJECT["dependencies"])]


@pytest.mark.parametrize("requirement", wanted(), ids=lambda requirement: requirement.name)
def test_every_requirement_is_met_by_its_pins(requirement):
    name = canonicalize_name(requirement.name)
    versions = [next(iter(pin.specifier)).version for pin in pins(course.LOCK) if pin.name == name]
    assert versions, f"{name} is not in the lock; compile it again (see pyproject.toml)"
    assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_lock_is_made_of_plain_pins(lock):
    plain = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; .+)?$")
    assert [line for line in lines(lock) if not plain.match(line)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_lock_brings_no_cuda(lock):
    assert [pin.name for pin in pins(lock) if course.CUDA_PACKAGE.match(pin.name)] == []


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("minor", range(course.OLDEST[1], course.NEWEST[1] + 1))
def test_lock_has_one_version_of_each_package_on_every_platform(platform, minor):
    machine = {"darwin": "arm64", "linux on ARM": "aarch64"}.get(platform, "x86_64")
    here = {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.9",
        "platform_machine": machine,
    }
    here |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    here |= PLATFORMS[platform]
    names = [pin.name for pin in pins(course.LOCK) if pin.marker is None or pin.marker.evaluate(here)]
    assert sorted(set(names)) == sorted(names)
    wanted_here = [want for want in wanted() if want.marker is None or want.marker.evaluate(here)]
    assert {canonicalize_name(requirement.name) for requirement in wanted_here} <= set(names)


def test_benchmarks_do_not_move_a_pin_of_the_course():
    if course.BENCHMARK_LOCK not in LOCKS:
        pytest.skip("the benchmarks have no lock")
    locked = {(pin.name, str(pin.marker)): pin.specifier for pin in pins(course.LOCK)}
    shared = [pin for pin in pins(course.BENCHMARK_LOCK) if (pin.name, str(pin.marker)) in locked]
    assert [pin for pin in shared if pin.specifier != locked[pin.name, str(pin.marker)]] == []


def test_launcher_continuous_integration_and_metadata_name_the_same_pythons():
    (oldest, newest), supported = (course.OLDEST, course.NEWEST), SpecifierSet(PROJECT["requires-python"])
    versions = [f"3.{minor}.0" for minor in range(oldest[1] - 1, newest[1] + 2)]
    assert list(supported.filter(versions)) == versions[1:-1]
    assert f"{oldest} <= sys.version_info[:2] <= {newest}" in (ROOT / ".ci" / "run").read_text(
        encoding="utf-8"
    )


def test_readme_says_the_same_times_sizes_and_pythons_as_the_launcher():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("run", "test"):
        (line,) = re.findall(rf"^python course.py {command} +# (.*?):", readme, re.MULTILINE)
        assert line == course.COMMANDS[command][1]
    takes, disk = course.INSTALLATION
    assert f"about {takes} more" in readme
    (oldest, newest) = (".".join(map(str, version)) for version in (course.OLDEST, course.NEWEST))
    assert f"You need Python {oldest} to {newest}, {disk} of disk" in readme
    assert f"<{course.CPU_INDEX}>" in readme


def test_environment_for_conda_installs_the_lock_and_a_supported_python():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    dependencies = yaml.safe_load(text)["dependencies"]
    python = next(entry for entry in dependencies if str(entry).startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python=") + ".0")
    assert "pip" in dependencies
    cpu_builds = f"--extra-index-url {course.CPU_INDEX}"
    assert dependencies[-1] == {"pip": [cpu_builds, "-r requirements.lock", "-e ."]}
    for line in text.splitlines():
        assert line.endswith(":") or "  # " in line, f"say why: {line}"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_continuous_integration_can_be_started():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_citation_has_the_version_of_the_library():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
