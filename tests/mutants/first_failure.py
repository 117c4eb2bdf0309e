"""A plugin of pytest: a property that fails is told as it was met, and no smaller case is looked for."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("first failure", phases=[Phase.explicit, Phase.generate])
settings.load_profile("first failure")
