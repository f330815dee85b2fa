"""What every process of ours shares: exits, logs, ports and deadlines."""
