"""The context `party` on live servers."""

from assets.contexts import party
from data.live.declaring import live

context = live(party.context)
