"""What a worker trains on: its GPU, or its processor."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")  # as Linux calls them; what others can do was not measured
_BFLOAT16_CAPABILITY = 8  # NVIDIA's compute capability from which GPUs multiply bfloat16: Ampere, 2020


@dataclass(frozen=True)
class Device:
    """A GPU or processor.

    Attributes:
        name: What its maker calls it, for a processor with the number of its cores.
        bfloat16: Whether it multiplies bfloat16 without a detour over float32.
    """

    name: str
    bfloat16: bool


def this_device() -> Device:
    """Returns what TensorFlow, which this loads, trains on in this process."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return processor()
    details = tf.config.experimental.get_device_details(gpus[0])
    major, _ = details.get("compute_capability", (0, 0))
    return Device(str(details.get("device_name", "GPU")), major >= _BFLOAT16_CAPABILITY)


def processor() -> Device:
    """Returns the processor of this machine, without TensorFlow."""
    found = _cpuinfo()
    name = found.get("model name") or platform.processor() or platform.machine()
    cores = os.cpu_count() or 1
    able = not set(_BFLOAT16_FLAGS).isdisjoint(found.get("flags", "").split())
    return Device(f"{name.strip()}, {cores} core{'s' if cores > 1 else ''}", able)


def _cpuinfo() -> dict[str, str]:
    """Returns what Linux knows of the first processor; nothing elsewhere."""
    if not _CPUINFO.exists():
        return {}
    first, _, _ = _CPUINFO.read_text().partition("\n\n")
    lines = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
