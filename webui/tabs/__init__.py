"""The tabs. Each has `build()`, which makes its components and returns them, and `wire()`, which joins them."""
