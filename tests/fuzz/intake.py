class Intake: pass
