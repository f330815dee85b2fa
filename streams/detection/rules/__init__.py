"""The alert rules: one small file each, all with the protocol of `streams.detection.rules.rule`."""
