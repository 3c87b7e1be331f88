"""A tiny model with random weights for every pipeline that can be built offline."""
