"""The builder of the tabs that draw: one for each kind of job, alike but for their fields."""
