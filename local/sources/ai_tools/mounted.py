"""The AI tools as families of the common server."""

from __future__ import annotations

from local.sources.ai_tools.amp import Amp
from local.sources.ai_tools.chatgpt import ChatGpt
from local.sources.ai_tools.claude_code import ClaudeCode
from local.sources.ai_tools.copilot import Copilot
from local.sources.ai_tools.cursor import Cursor
from local.sources.ai_tools.firebender import Firebender
from local.sources.ai_tools.g2 import G2
from local.sources.ai_tools.goose import Goose
from local.sources.ai_tools.tool_vendor import ToolVendor
from local.sources.kit.family import Family

VENDORS: tuple[type[ToolVendor], ...] = (G2, Goose, ClaudeCode, Cursor, Firebender, Amp, ChatGpt, Copilot)


def ai_tool_families() -> tuple[Family, ...]:
    """A family for each tool, called as the tool; the secret's reference is its slug: `claude-code`."""
    return tuple(vendor.as_family() for vendor in VENDORS)
