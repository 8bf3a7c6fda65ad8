"""What is wrong: rules over observations, and the alerts they add up to."""
