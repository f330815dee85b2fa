"""What is said of the flow's stages without their modules is what the stages say."""

from agents.plans import first_inputs, flow_plans, stage_inputs
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings


def test_first_inputs_are_those_of_the_plans() -> None:
    settings = Settings.model_validate({"kafka": {"topic_prefix": "x."}})
    plans = flow_plans(
        settings, market_of(settings), load_rules(settings.rules.file, settings.rules.cap_unknown)
    )
    assert first_inputs(settings) == {plan.name: plan.inputs[0] for plan in plans}
    assert stage_inputs(settings) == {plan.name: plan.inputs for plan in plans}
