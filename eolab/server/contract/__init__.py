"""The contract of the REST routes: what each takes and answers, said once.

Answers are `TypedDict`s of the domains that make them and of `answers`; requests stand in
`requests`; `table` says which route has which. `schema` writes them all as a JSON schema
(`schema.json`), from which the labextension's TypeScript types are made: `scripts/contract.py`
renews both, tests hold them together.
"""
