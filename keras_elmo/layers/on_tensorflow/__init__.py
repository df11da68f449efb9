"""What no other backend of Keras can do; only imported where it is TensorFlow."""
