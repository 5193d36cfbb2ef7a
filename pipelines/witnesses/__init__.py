"""Witnesses: what may know why a finding is there, one module each, which says what it can prove and nothing else.

The past of both sides (`history`), the log (`testimony`, `fold`, `omission`, `hearsay`), another entity's log
(`projection`), who may write (`ownership`), rules that were in force once (`retranslation`), what many findings have in
common (`patterns`); of rows without counterpart, `absence`, refused rows (`rejections`), and what becomes of deletions
(`erasures`, `following`). Each makes a relation of proofs (`causes.PROOFS`); `proving` calls them, and which proof
counts is `classification`'s.
"""
