// Which adapter stands behind a repository of the node's file? Only workers come here: an S3 client is heavy.
import { clusterPlace } from "../../model/repo-keys.ts";
import type { RepositoryIdentity, RepositorySettings } from "../../model/repository.ts";
import type { Repo } from "../../ports/repo.ts";
import { createDirectoryRepo } from "./directory.ts";

/** The repository at the place of one cluster. The client of object stores is loaded only where there is one. */
export async function openRepo(
  { name, place }: RepositorySettings,
  { scope, systemId }: Pick<RepositoryIdentity, "scope" | "systemId">,
): Promise<Repo> {
  const cluster = clusterPlace(scope, systemId);
  switch (place.kind) {
    case "directory":
      return createDirectoryRepo({ name, directory: place.directory, place: cluster });
    case "s3": {
      const { createS3Repo } = await import("./s3.ts");
      return createS3Repo({ name, settings: place, place: cluster });
    }
    default:
      return place satisfies never;
  }
}
