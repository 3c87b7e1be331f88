"""A grid: pictures of one job that differ by what its axes say, such as A1111's X/Y/Z plot."""
