"""What a lab is made of, as Pulumi resources: one class per noun of the model."""
