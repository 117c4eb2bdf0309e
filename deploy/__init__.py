"""Deploy: starts, awaits and stops the parts of a stack (brokers, engine, workers) on one machine."""
