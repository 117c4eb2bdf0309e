"""What puts events into the pipeline: adapters of files. Knows topics and blocks, and nothing of those who read them."""
