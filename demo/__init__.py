"""The main job on real data: TensorBoard, fed live by two trainings and a pretrained network."""
