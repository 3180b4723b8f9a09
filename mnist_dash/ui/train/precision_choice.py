"""Which numeric precisions the Train page offers, and what is to be gained by them."""

from dataclasses import replace

from mnist_dash.networks.experiments import BFLOAT16_GAIN
from mnist_dash.networks.hyperparameters import FLOAT32, Setting
from mnist_dash.ui.shared.resources import job_queue

_NEEDED = "a processor with AVX512-BF16 or AMX, or an NVIDIA GPU from Ampere on"


def offered(setting: Setting) -> Setting:
    """Returns the setting “precision” as the workers allow it; any other as it is."""
    if setting.name != "precision":
        return setting
    gain = f"trains the CNNs about {BFLOAT16_GAIN} times as fast; dense networks gain nothing."
    if job_queue().multiplies_bfloat16():
        return replace(setting, help=f"{setting.help} Here it {gain}")
    help_text = f"{setting.help} It is not offered, as no worker multiplies it. With {_NEEDED} it {gain}"
    return replace(setting, default=FLOAT32, choices=(FLOAT32,), help=help_text)


def enforced() -> dict[str, str]:
    """Returns what holds for all networks, whatever their own precision is."""
    return {} if job_queue().multiplies_bfloat16() else {"precision": FLOAT32}
