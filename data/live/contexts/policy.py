"""The context `policy` on live servers."""

from assets.contexts import policy
from data.live.declaring import live

context = live(policy.context)
