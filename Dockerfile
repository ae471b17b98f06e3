# The image of the Helm chart: one program for the API, the workers and the migration job.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and run by another: the program cannot change itself.
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
# A number, so that a cluster can see that it is not root. 1000 is the image's user `node`.
USER 1000:1000
# Elsewhere it listens on loopback only; in a container nobody would reach it there.
ENV HOST=0.0.0.0 PORT=3000 EXEUNT_DATA_DIR=/tmp/exeunt
EXPOSE 3000
CMD ["node", "dist/main.js"]
