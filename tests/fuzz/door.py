class Door: pass
