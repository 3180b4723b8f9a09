import pickle
import re

import pytest

from mnist_dash.config import PROJECT, SETTINGS, data_folder, load_settings
from mnist_dash.errors import SettingsError

_VARIABLE = re.compile(r"\bMNIST_DASH_[A-Z_]+")

NUMBERS = [info.name for info in SETTINGS if info.minimum is not None]


def test_without_any_variable_everything_stays_under_the_project():
    settings = load_settings({})

    assert settings.database_url == f"sqlite:///{PROJECT}/.mnist_dash/runs.sqlite"
    assert settings.cache == PROJECT / ".mnist_dash"
    assert settings.data is None
    assert settings.scheduler is None
    assert (settings.workers, settings.shared) == (1, False)


def test_without_a_mapping_the_variables_of_the_process_are_read(monkeypatch):
    monkeypatch.setenv("MNIST_DASH_WORKERS", "7")

    assert load_settings().workers == 7


def test_every_setting_can_be_given_by_its_variable():
    given = {
        "MNIST_DASH_DATABASE_URL": "postgresql+psycopg://ann@db/runs",
        "MNIST_DASH_DATA": "/data/mnist.npz",
        "MNIST_DASH_DOWNLOAD_URL": "https://mirror.example/mnist.npz",
        "MNIST_DASH_CACHE": "/cache",
        "MNIST_DASH_SCHEDULER": "tcp://10.0.0.1:8786",
        "MNIST_DASH_WORKERS": "2",
        "MNIST_DASH_KEPT_CHECKPOINTS": "7",
        "MNIST_DASH_SHARED": "1",
        "MNIST_DASH_MAX_MINUTES": "30",
        "MNIST_DASH_MAX_MEMORY_MB": "2000",
        "MNIST_DASH_STATUS_KEY": "s3cret",
        "MNIST_DASH_MAX_QUEUED": "4",
        "MNIST_DASH_MAX_EPOCHS": "50",
        "MNIST_DASH_MAX_RUNS": "60",
    }

    settings = load_settings(given)

    assert set(given) == {info.name for info in SETTINGS}
    assert settings.database_url == "postgresql+psycopg://ann@db/runs"
    assert str(settings.data) == "/data/mnist.npz"
    assert settings.download_url == "https://mirror.example/mnist.npz"
    assert str(settings.cache) == "/cache"
    assert settings.scheduler == "tcp://10.0.0.1:8786"
    assert (settings.workers, settings.max_queued, settings.max_epochs, settings.max_runs) == (2, 4, 50, 60)
    assert settings.kept_checkpoints == 7
    assert (settings.max_minutes, settings.max_memory_mb) == (30, 2000)
    assert (settings.shared, settings.status_key) == (True, "s3cret")


def test_a_secret_is_used_where_the_environment_says_nothing():
    settings = load_settings({}, secrets={"MNIST_DASH_WORKERS": 3})

    assert settings.workers == 3


def test_the_environment_wins_over_a_secret():
    settings = load_settings({"MNIST_DASH_WORKERS": "2"}, secrets={"MNIST_DASH_WORKERS": "3"})

    assert settings.workers == 2


def test_an_empty_variable_means_the_default():
    assert load_settings({"MNIST_DASH_WORKERS": ""}).workers == 1


@pytest.mark.parametrize("value", ["many", "-1", "1.5", "1e3", "²"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_none_is_refused_by_name_and_value(name, value):
    with pytest.raises(SettingsError) as caught:
        load_settings({name: value})

    assert name in str(caught.value)
    assert f"“{value}”" in str(caught.value)


def test_a_number_below_the_smallest_is_refused_with_the_smallest_in_the_message():
    with pytest.raises(SettingsError, match="at least 1"):
        load_settings({"MNIST_DASH_WORKERS": "0"})


def test_spaces_around_a_number_do_not_matter():
    assert load_settings({"MNIST_DASH_WORKERS": " 2 "}).workers == 2


def test_a_tilde_in_a_path_means_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")

    settings = load_settings({"MNIST_DASH_DATA": "~/mnist.npz"})

    assert str(settings.data) == "/home/ann/mnist.npz"


def test_workers_are_handed_their_settings_and_read_none_of_their_own():
    settings = load_settings({"MNIST_DASH_DATA": "mnist.npz", "MNIST_DASH_MAX_MINUTES": "30"})

    handed = pickle.loads(pickle.dumps(settings))

    assert handed == settings
    for module in (PROJECT / "mnist_dash" / "worker").glob("*.py"):
        assert "load_settings" not in module.read_text(), module.name


def test_every_setting_explains_itself():
    assert all(info.help.endswith(".") for info in SETTINGS)


def test_a_checkout_keeps_its_data_beside_the_app_and_an_installed_copy_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    checkout, installed = tmp_path / "checkout", tmp_path / "site-packages"
    for folder in (checkout, installed):
        folder.mkdir()
    (checkout / "app.py").touch()

    assert data_folder(project=checkout) == checkout / ".mnist_dash"
    assert not data_folder(project=installed).is_relative_to(installed)


def test_every_variable_that_the_code_reads_is_in_the_table():
    files = [PROJECT / "app.py", *(PROJECT / "mnist_dash").rglob("*.py"), *(PROJECT / "pages").glob("*.py")]
    named = {name for file in files for name in _VARIABLE.findall(file.read_text())}

    assert named == {info.name for info in SETTINGS}
