class Adapters: pass
