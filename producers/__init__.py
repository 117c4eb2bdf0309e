"""What puts events into the pipeline. Knows topics and blocks, and nothing of those who read them."""
