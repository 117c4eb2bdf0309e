"""The agent `intake`: single JSON events in, blocks of events out.

Bottom up, each module imports only those before it:
`arriving` decodes · `refusals` says what is wrong with an event · `keeping` what is kept of it · `frames` turns events
into columns · `judging` judges many · `births` and `shelf` remember · `look_ups` asks the tables · `desk` does all of
that to what came together · `marks` keeps the position at the broker · `agent` runs it.
"""
