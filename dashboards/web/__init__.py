"""The web board: the same boards as Grafana's, drawn by ourselves for whoever has no Grafana."""
