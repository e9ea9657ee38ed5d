"""Who answers: models, and the store in which every answer is kept before it is used."""
