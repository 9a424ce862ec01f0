"""More machines than one, on engines that exist: Ray Data for pictures, Ray Serve for visitors."""
