"""From a number to its list: a page for each number of a board, with its formula, its parts and the rows behind it."""
