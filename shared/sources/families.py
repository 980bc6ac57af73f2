"""Every family of sources by the name that the registry gives it."""

from collections.abc import Mapping

from shared.sources.ai_tools.amp import Amp
from shared.sources.ai_tools.chatgpt import ChatGpt
from shared.sources.ai_tools.claude_code import ClaudeCode
from shared.sources.ai_tools.copilot import Copilot
from shared.sources.ai_tools.cursor import Cursor
from shared.sources.ai_tools.firebender import Firebender
from shared.sources.ai_tools.g2 import G2
from shared.sources.ai_tools.goose import Goose
from shared.sources.coinmarketcap import CoinMarketCap
from shared.sources.family import Family
from shared.sources.github.family import Github
from shared.sources.incident_io import IncidentIo
from shared.sources.incident_io_events.family import IncidentIoEvents
from shared.sources.shop.family import Shop
from shared.sources.slo.oebot import Oebot
from shared.sources.slo.vantage import Vantage

FAMILIES: Mapping[str, Family] = {
    "amp": Amp(),
    "chatgpt": ChatGpt(),
    "claude_code": ClaudeCode(),
    "coinmarketcap": CoinMarketCap(),
    "copilot": Copilot(),
    "cursor": Cursor(),
    "firebender": Firebender(),
    "g2": G2(),
    "github": Github(),
    "goose": Goose(),
    "incident_io": IncidentIo(),
    "incident_io_events": IncidentIoEvents(),
    "oebot": Oebot(),
    "shop": Shop(),
    "vantage": Vantage(),
}
