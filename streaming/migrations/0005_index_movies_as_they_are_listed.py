from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0004_note_since_when_a_version_is_missing")]

    operations = [
        migrations.AddIndex(
            model_name="movie",
            index=models.Index(fields=["-release_date", "id"], name="movie_by_release"),
        ),
        migrations.AddIndex(
            model_name="movie",
            index=models.Index(fields=["-switched_at", "id"], name="movie_by_switch"),
        ),
    ]
