"""The context `broker` on live servers."""

from assets.contexts import broker
from data.live.declaring import live

context = live(broker.context)
