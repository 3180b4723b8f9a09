"""What a worker says it trains on."""

from pathlib import Path

import pytest

from mnist_dash.worker import device
from mnist_dash.worker.device import Device, processor, this_device

SAPPHIRE_RAPIDS = (
    "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C\nflags\t\t: fpu avx512f avx512_bf16 amx_bf16\n\n"
)
ICE_LAKE = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Gold 6338\nflags\t\t: fpu avx512f avx512_vnni\n\n"
GRAVITON = "processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd bf16\n\n"


@pytest.mark.parametrize(
    ("cpuinfo", "begins", "bfloat16"),
    [
        (SAPPHIRE_RAPIDS + ICE_LAKE, "Intel(R) Xeon(R) Platinum 8481C, ", True),
        (ICE_LAKE + SAPPHIRE_RAPIDS, "Intel(R) Xeon(R) Gold 6338, ", False),
        (GRAVITON, "", False),
        (None, "", False),
    ],
)
def test_a_processor_multiplies_bfloat16_if_its_flags_say_so(cpuinfo, begins, bfloat16, tmp_path: Path, monkeypatch):
    file = tmp_path / "cpuinfo"
    if cpuinfo:
        file.write_text(cpuinfo)
    monkeypatch.setattr(device, "_CPUINFO", file)
    monkeypatch.setattr("os.cpu_count", lambda: 1)

    found = processor()

    assert found.bfloat16 == bfloat16
    assert found.name.startswith(begins)
    assert found.name.endswith(", 1 core")


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"device_name": "NVIDIA A10", "compute_capability": (8, 6)}, Device("NVIDIA A10", True)),
        ({"device_name": "Tesla T4", "compute_capability": (7, 5)}, Device("Tesla T4", False)),
        ({}, Device("GPU", False)),
    ],
)
def test_a_gpu_comes_before_the_processor(details, expected, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["/physical_device:GPU:0"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)

    assert this_device() == expected


def test_without_a_gpu_it_is_the_processor_of_this_machine():
    assert this_device() == processor()
