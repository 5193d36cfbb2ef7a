"""The context `billing` on live servers."""

from assets.contexts import billing
from data.live.declaring import live

context = live(billing.context)
