"""The agent `roll`: changes of sums → the current value of every KPI, over every window."""
