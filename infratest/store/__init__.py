"""What is kept between calls: results, events, failures in a row."""
