"""The contract: JSON Schemas of everything on the topics that is JSON.

`config/asyncapi.yaml` says what is where.
"""
