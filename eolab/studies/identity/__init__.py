"""What decides a study's result, as a digest that is the same in every process."""
