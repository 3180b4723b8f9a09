"""The Train page's form: one run or a whole experiment, its state in the URL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from mnist_dash.errors import VariantError
from mnist_dash.networks.experiments import MAX_RUNS, PlannedRun, plan_runs
from mnist_dash.networks.hyperparameters import Setting, Value, plain
from mnist_dash.networks.presets import PRESETS
from mnist_dash.networks.setting_words import value_words
from mnist_dash.networks.variants import VARIANTS, Variant
from mnist_dash.ui.shared import data_choice, links
from mnist_dash.ui.shared.controls import choice
from mnist_dash.ui.train.precision_choice import enforced, offered

_MAIN = ("epochs", "batch_size", "learning_rate")
_NOT_IN_FORM = ("fold",)  # with k folds, all of them are trained
_MAX_TYPED = 200
_REPEATS = Setting("repeats", "Repeats", 1, "Number of runs per setting, with consecutive seeds.", 1, 50)

_VARIANT = "train_variant"
_PARAMETERS = (  # of the URL, beside the variant
    *dict.fromkeys(setting.name for variant in VARIANTS.values() for setting in variant.settings),
    "repeats",
    "also",
)


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
    if links.is_changed(_VARIANT):
        _forget_inputs()
    variant = VARIANTS[choice("Network", names, key=_VARIANT, on_change=_clear, label_visibility="collapsed")]
    claim = f" The tutorial, {variant.tutorial}, reports {variant.claim.words}." if variant.claim else ""
    st.caption(variant.summary + claim)
    data_choice.choose_data()
    entered = _inputs(variant)
    others = st.session_state["train_also"]
    links.write({**dict.fromkeys(_PARAMETERS, ""), **_changed(variant, entered), "also": ",".join(others)})
    try:
        return Form(variant, _planned(variant, others, entered))
    except VariantError as error:
        return Form(variant, (), str(error))


def fill_form(variant: str, settings: Mapping[str, str]) -> None:
    """Fills the form with other settings; to be called before it is drawn, from a button's callback."""
    _forget_inputs()
    data = {name: value for name, value in st.query_params.items() if name == data_choice.LINK}
    st.query_params.from_dict({_VARIANT: variant, **settings, **data})


def changed_settings(run: PlannedRun) -> dict[str, str]:
    """Returns what of a run's settings is not the network's own, as one would type it."""
    own = VARIANTS[run.variant]
    return {
        name: _typed(value)
        for name, value in run.settings.items()
        if value != own.default(name) and name not in _NOT_IN_FORM
    }


def preset_buttons(form: Form) -> None:
    """Offers example settings, and says what those in the form show."""
    for works, title in ((True, "Try"), (False, "Common mistakes")):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"md_presets_{works}"):
            st.caption(title, width="content")
            for preset in (preset for preset in PRESETS if preset.works == works):
                st.button(
                    preset.title,
                    key=f"train_preset_{preset.name}",
                    help=preset.reason,
                    on_click=fill_form,
                    args=(preset.variant, preset.settings),
                )
    entered = {name: value for name, value in st.query_params.items() if name in _PARAMETERS}
    for preset in PRESETS:
        if preset.variant == form.variant.name and preset.settings == entered:
            st.caption(f"**{preset.title}**: {preset.reason}")


def _forget_inputs() -> None:
    for name in _PARAMETERS:
        st.session_state.pop(f"train_{name}", None)


def _clear() -> None:
    """Forgets what was entered for another network, also in the URL."""
    _forget_inputs()
    links.write(dict.fromkeys(_PARAMETERS, ""))


def _inputs(variant: Variant) -> dict[str, Sequence[str]]:
    """Draws an input for every setting; each may be given several values.

    Returns:
        The texts entered, by setting.
    """
    entered: dict[str, Sequence[str]] = {}
    by_name = {setting.name: offered(setting) for setting in variant.settings if setting.name not in _NOT_IN_FORM}
    with st.container(key="md_front"):  # two in a row, also on a phone
        for setting in [*(by_name[name] for name in _MAIN), _REPEATS]:
            entered[setting.name] = _input(setting)
    with st.expander("More settings", icon=":material/tune:"):
        st.caption(
            f"Several values, such as “0.1 0.01 0.001”, are trained one by one: a sweep of up to {MAX_RUNS} runs."
        )
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
        default = [str(setting.default)]
        links.restore(key, lambda linked: _listed(linked, " ", setting.choices) or default, parameter=setting.name)
        chosen = st.multiselect(
            setting.label,
            setting.choices,
            format_func=value_words,
            key=key,
            help=setting.help,
            placeholder=value_words(str(setting.default)),
            persist_state="session",
        )
        return chosen or default
    links.restore(key, lambda linked: (linked or _typed(setting.default))[:_MAX_TYPED], parameter=setting.name)
    words = f"{setting.help} From {plain(setting.minimum)} to {plain(setting.maximum)}."
    # As text: a number field takes “0,01” for 1, and could not take several values.
    typed = st.text_input(setting.label, key=key, help=words, max_chars=_MAX_TYPED, persist_state="session")
    return values_in(typed) or [_typed(setting.default)]


def values_in(typed: str) -> list[str]:
    """Returns the values that were typed, separated by spaces, semicolons or commas; “0,1” has a decimal comma."""
    parts = [part.strip(",") for part in typed.replace(";", " ").split()]
    lists = [part.split(",") if "." in part or part.count(",") > 1 else [part] for part in parts]
    return [value for values in lists for value in values if value]


def _listed(linked: str, separator: str, options: Collection[str]) -> list[str]:
    return [value for value in linked.split(separator) if value in options]


def _also(variant: Variant) -> None:
    others = [name for name in VARIANTS if name != variant.name]
    links.restore("train_also", lambda linked: _listed(linked, ",", others), parameter="also")
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


def _planned(variant: Variant, others: Sequence[str], entered: Mapping[str, Sequence[str]]) -> list[PlannedRun]:
    changed = {name: entered[name] for name in _changed(variant, entered) if name != "repeats"}
    if len(entered["repeats"]) > 1:
        raise VariantError("Repeats must be one whole number: the seeds of a setting are trained one after the other.")
    fixed = {name: values[0] for name, values in changed.items() if len(values) == 1}
    return plan_runs(
        [variant.name, *others],
        {**fixed, **enforced()},
        vary={name: values for name, values in changed.items() if len(values) > 1},
        repeats=int(_REPEATS.check(entered["repeats"][0])),
    )


def _typed(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
