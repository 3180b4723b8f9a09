"""The Train page's form: one run or a whole experiment, its state in the link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from mnist_dash.errors import VariantError
from mnist_dash.networks.experiments import MAX_RUNS, PlannedRun, plan_runs
from mnist_dash.networks.hyperparameters import Setting, Value
from mnist_dash.networks.presets import PRESETS, Preset
from mnist_dash.networks.variants import VARIANTS, Variant
from mnist_dash.ui.shared.controls import choice, explain, option_name

_MAIN = ("epochs", "batch_size", "learning_rate")
_NOT_ASKED = ("fold",)  # with k folds, all of them are trained
_MAX_TYPED = 200
_REPEATS = Setting("repeats", "Repeats", 1, "Number of runs per setting, with consecutive seeds.", 1, 50)


@dataclass(frozen=True)
class Form:
    """What the form asks for.

    Attributes:
        variant: The network that is looked at.
        runs: All runs that it makes; empty if something in it is wrong.
        problem: What is wrong, in words.
    """

    variant: Variant
    runs: Sequence[PlannedRun]
    problem: str | None = None


def training_form() -> Form:
    """Draws the form and returns what it asks for."""
    names = {variant.name: variant.title for variant in VARIANTS.values()}
    variant = VARIANTS[choice("Network", names, key="train_variant", on_change=_begin_anew)]
    _about(variant)
    entered = _inputs(variant)
    others = st.session_state["train_also"]
    _keep_in_link({**_changed(variant, entered), "also": ",".join(others)})
    try:
        return Form(variant, _planned(variant, others, entered))
    except VariantError as error:
        return Form(variant, (), str(error))


def fill_form(variant: str, settings: Mapping[str, str]) -> None:
    """Fills the form with other settings; to be called before it is drawn, from a button's callback."""
    _begin_anew()
    st.session_state["train_variant"] = variant
    st.query_params.from_dict({"train_variant": variant, **settings})


def changed_settings(run: PlannedRun) -> dict[str, str]:
    """Returns what of a run's settings is not the network's own, as one would type it."""
    own = VARIANTS[run.variant]
    return {
        name: _typed(value)
        for name, value in run.settings.items()
        if value != own.default(name) and name not in _NOT_ASKED
    }


def _about(variant: Variant) -> None:
    claim = f" The tutorial reports {variant.claim.words}." if variant.claim else ""
    st.markdown(variant.summary + claim)
    with st.container(horizontal=True, vertical_alignment="center"):
        whose = "the tutorial's" if variant.claim else "our own"
        st.caption(f"From {variant.tutorial}. Default values are {whose}.", width="content")
        with st.popover("Example settings", icon=":material/lightbulb:", type="tertiary", width="content"):
            for works, title in ((True, "Recommended"), (False, "Common mistakes")):
                st.markdown(f"**{title}**")
                for preset in (preset for preset in PRESETS if preset.works == works):
                    _offer(preset)


def _offer(preset: Preset) -> None:
    arguments = (preset.variant, preset.settings)
    st.button(preset.title, key=f"train_preset_{preset.name}", on_click=fill_form, args=arguments)
    st.caption(preset.reason)


def _begin_anew() -> None:
    """Forgets what was entered for another network."""
    for key in [*(setting.name for variant in VARIANTS.values() for setting in variant.settings), "repeats", "also"]:
        st.session_state.pop(f"train_{key}", None)
        st.query_params.pop(key, None)


def _inputs(variant: Variant) -> dict[str, Sequence[str]]:
    """Draws an input for every setting; each may be given several values.

    Returns:
        The texts entered, by setting.
    """
    entered: dict[str, Sequence[str]] = {}
    by_name = {setting.name: setting for setting in variant.settings if setting.name not in _NOT_ASKED}
    front = [*(by_name[name] for name in _MAIN), _REPEATS]
    for column, setting in zip(st.columns(len(front)), front, strict=True):
        with column:
            entered[setting.name] = _input(setting)
    with st.expander("More settings", icon=":material/tune:"):
        st.caption(
            "Enter several values separated by spaces to train one run for each, such as “0.1 0.01 0.001”. Several "
            f"settings with several values form a grid of at most {MAX_RUNS} runs."
        )
        with st.container(horizontal=True, gap="small"):
            for name in ("optimizers", "k_fold", "dropout", "augmentation"):
                explain(name)
        rest = [setting for name, setting in by_name.items() if name not in _MAIN]
        for row in range(0, len(rest), 2):  # row by row, so that a phone keeps the order
            for column, setting in zip(st.columns(2), rest[row : row + 2], strict=False):
                with column:
                    entered[setting.name] = _input(setting)
        _also(variant)
    return entered


def _input(setting: Setting) -> Sequence[str]:
    key = f"train_{setting.name}"
    if setting.choices:
        linked = [value for value in _linked(setting).split(" ") if value in setting.choices]
        st.session_state.setdefault(key, linked or [str(setting.default)])
        chosen = st.multiselect(
            setting.label,
            setting.choices,
            format_func=option_name,
            key=key,
            help=setting.help,
            placeholder=option_name(str(setting.default)),
            persist_state="session",
        )
        return chosen or [str(setting.default)]
    st.session_state.setdefault(key, _linked(setting)[:_MAX_TYPED])
    words = f"{setting.help} From {setting.minimum:,.10g} to {setting.maximum:,.10g}."
    # As text: a number field takes “0,01” for 1, and could not take several values.
    typed = st.text_input(setting.label, key=key, help=words, max_chars=_MAX_TYPED, persist_state="session")
    return [part for part in typed.replace(";", " ").split() if part.strip(",")] or [_typed(setting.default)]


def _linked(setting: Setting) -> str:
    return str(st.query_params.get(setting.name, _typed(setting.default)))


def _also(variant: Variant) -> None:
    others = [name for name in VARIANTS if name != variant.name]
    linked = [name for name in str(st.query_params.get("also", "")).split(",") if name in others]
    st.session_state.setdefault("train_also", linked)
    st.multiselect(
        "Also train",
        others,
        format_func=lambda name: VARIANTS[name].title,
        key="train_also",
        help="With the settings changed above; all others keep each network's defaults.",
        placeholder="None",
        persist_state="session",
    )


def _changed(variant: Variant, entered: Mapping[str, Sequence[str]]) -> dict[str, str]:
    own = {**{setting.name: setting for setting in variant.settings}, "repeats": _REPEATS}
    texts = {name: " ".join(values) for name, values in entered.items()}
    return {name: text for name, text in texts.items() if text != _typed(own[name].default)}


def _keep_in_link(changed: Mapping[str, str]) -> None:
    known = [*(setting.name for variant in VARIANTS.values() for setting in variant.settings), "repeats", "also"]
    for name in known:
        if changed.get(name):
            st.query_params[name] = changed[name]
        elif name in st.query_params:
            del st.query_params[name]


def _planned(variant: Variant, others: Sequence[str], entered: Mapping[str, Sequence[str]]) -> list[PlannedRun]:
    changed = {name: entered[name] for name in _changed(variant, entered) if name != "repeats"}
    if len(entered["repeats"]) > 1:
        raise VariantError(f"repeats is {' '.join(entered['repeats'])}, but must be one whole number.")
    return plan_runs(
        [variant.name, *others],
        {name: values[0] for name, values in changed.items() if len(values) == 1},
        vary={name: values for name, values in changed.items() if len(values) > 1},
        repeats=int(_REPEATS.check(entered["repeats"][0])),
    )


def _typed(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
