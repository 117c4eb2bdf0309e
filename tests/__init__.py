"""The tests: a folder a room, named as the room it tests."""
