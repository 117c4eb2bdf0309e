"""What is done with a Grafana: boards and their folders, the check of the data source, notes."""
