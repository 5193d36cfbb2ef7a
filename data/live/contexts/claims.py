"""The context `claims` on live servers."""

from assets.contexts import claims
from data.live.declaring import live

context = live(claims.context)
